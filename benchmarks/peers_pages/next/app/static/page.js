export { default } from "../article.js";
