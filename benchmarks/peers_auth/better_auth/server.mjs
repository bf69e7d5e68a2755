// Better Auth on PostgreSQL, as its documentation sets it up for production.
// `prepare` makes the tables and the accounts; `serve` answers. Facts come by environment (PEER_*).
import { createServer } from "node:http";
import { hash, verify } from "@node-rs/argon2";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import pg from "pg";

const { PEER_DATABASE_URL, PEER_PORT, PEER_ACCOUNTS, PEER_PASSWORD, PEER_RATE_PER_S, PEER_SECRET } = process.env;
const argon2 = {
  algorithm: 2, // Argon2id
  memoryCost: Number(process.env.PEER_MEMORY_KIB),
  timeCost: Number(process.env.PEER_PASSES),
  parallelism: 1,
};
const pool = new pg.Pool({ connectionString: PEER_DATABASE_URL });
const auth = betterAuth({
  database: pool,
  secret: PEER_SECRET,
  baseURL: `http://localhost:${PEER_PORT}`,
  emailAndPassword: {
    enabled: true,
    requireEmailVerification: true,
    password: {
      hash: (password) => hash(password, argon2),
      verify: ({ hash: known, password }) => verify(known, password, argon2),
    },
  },
  rateLimit: {
    enabled: true,
    window: 1,
    max: Number(PEER_RATE_PER_S),
    customRules: { "/sign-in/email": { window: 1, max: Number(PEER_RATE_PER_S) } },
  },
});

if (process.argv[2] === "prepare") {
  const { runMigrations } = await getMigrations(auth.options);
  await runMigrations();
  for (let nth = 0; nth < Number(PEER_ACCOUNTS); nth++) {
    const body = { email: `person${nth}@example.com`, password: PEER_PASSWORD, name: `Person ${nth}` };
    await auth.api.signUpEmail({ body });
  }
  await pool.query('update "user" set "emailVerified" = true');
  await pool.end();
} else {
  const answer = toNodeHandler(auth);
  createServer((request, response) => {
    if (request.url === "/healthz") {
      response.end("ok");
    } else {
      answer(request, response);
    }
  }).listen(Number(PEER_PORT), "127.0.0.1");
}
