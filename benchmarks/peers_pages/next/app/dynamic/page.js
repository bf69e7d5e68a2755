export const dynamic = "force-dynamic";
export { default } from "../article.js";
