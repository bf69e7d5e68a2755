import article from "../article.json";

export const metadata = { title: article.title, description: article.description };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
