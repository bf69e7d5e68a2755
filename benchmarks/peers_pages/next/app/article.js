import article from "../article.json";

const menu = article.menu.map(([path, title]) => (
  <li key={path}>
    <a href={path}>{title}</a>
  </li>
));

export default function Article() {
  return (
    <>
      <header>
        <nav>
          <ul>{menu}</ul>
        </nav>
      </header>
      <main>
        <h1>{article.title}</h1>
        {article.blocks.map(({ kind, text }, n) => (kind === "heading" ? <h2 key={n}>{text}</h2> : <p key={n}>{text}</p>))}
      </main>
    </>
  );
}
