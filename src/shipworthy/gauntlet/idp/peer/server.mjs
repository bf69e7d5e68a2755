// node-oidc-provider as its own documentation sets it up, with its development sign-in pages and one client.
// What it is told stands in its environment: no secret on a command line. Every start has keys of its own, so
// a restart at the same address is a rotation without overlap.
import { generateKeyPairSync, randomUUID } from 'node:crypto';

const told = JSON.parse(process.env.SHIPWORTHY_PEER);
const { Provider } = await import(told.entry);
const kinds = { RS256: ['rsa', { modulusLength: 2048 }], ES256: ['ec', { namedCurve: 'P-256' }] };
const key = generateKeyPairSync(...kinds[told.algorithm]).privateKey.export({ format: 'jwk' });

const provider = new Provider(told.issuer, {
  clients: [{
    client_id: told.client_id,
    client_secret: told.client_secret,
    redirect_uris: told.redirect_uris,
    id_token_signed_response_alg: told.algorithm,
  }],
  routes: told.routes,
  jwks: { keys: [{ ...key, kid: randomUUID(), alg: told.algorithm, use: 'sig' }] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  cookies: { keys: [randomUUID()] },
  pkce: { required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: id, email_verified: true, name: id.split('@')[0] }),
  }),
});
const server = provider.listen(told.port, '127.0.0.1', () => console.log(`ready ${server.address().port}`));
