// Searches the number that makes the SHA-256 of `<text>.<number>` begin with enough zero bits (kernel/edge/challenge.py).
// SHA-256 by hand, FIPS 180-4: crypto.subtle answers one message a turn, and is forty times slower at this.
"use strict";
const fraction = (value) => ((value - Math.floor(value)) * 0x100000000) | 0;
const primes = [];
for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
const K = Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
const H = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));
const w = new Int32Array(64);

// One block of up to 55 bytes; returns the first 32 bits of the digest, which is all that is asked for.
function firstBits(bytes, length) {
  w.fill(0, 0, 16);
  for (let i = 0; i < length; i++) w[i >> 2] |= bytes[i] << (24 - 8 * (i & 3));
  w[length >> 2] |= 0x80 << (24 - 8 * (length & 3));
  w[15] = length * 8;
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15], y = w[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = H;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
  }
  return (a + H[0]) >>> 0;
}

onmessage = ({ data: { text, bits } }) => {
  const bytes = new Uint8Array(64);
  const start = text.length + 1;
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  bytes[text.length] = 46; // "."
  const most = 2 ** (32 - bits);
  for (let number = 0; ; number++) {
    const digits = String(number);
    for (let i = 0; i < digits.length; i++) bytes[start + i] = digits.charCodeAt(i);
    if (firstBits(bytes, start + digits.length) < most) {
      postMessage({ solution: `${text}.${digits}` });
      return;
    }
    if (number % 8192 === 8191) postMessage({ tried: number });
  }
};
