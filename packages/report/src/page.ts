import { type Html, html } from './html.ts';
import { pageStyle } from './page-style.ts';
import type { Fact } from './report.ts';

/** A page that has all it needs in it and may not load anything: title, status, figures, and what follows. */
export function page({ title, status, facts, footer }: PageHead, content: Html | readonly Html[]): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${pageStyle}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="status">${status}</p>
</header>
<dl class="facts">
${facts.map(({ label, value, note }) => html`<div><dt>${label}</dt><dd>${value}${note === undefined ? null : html`<small>${note}</small>`}</dd></div>`)}
</dl>
<main>
${content}
</main>
${footer === undefined ? null : html`<footer>${footer}</footer>`}
</body>
</html>
`.text;
}

/** What every page has. */
export interface PageHead {
  readonly title: string;
  /** A line below the title. */
  readonly status: string;
  /** The figures at the top. */
  readonly facts: readonly Fact[];
  /** Last line. Default: none. */
  readonly footer?: string | undefined;
}
