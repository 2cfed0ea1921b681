import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type DefaultTheme, defineConfig } from 'vitepress';

const docs = fileURLToPath(new URL('..', import.meta.url));
const api: DefaultTheme.SidebarItem[] = JSON.parse(readFileSync(`${docs}/api/typedoc-sidebar.json`, 'utf8'));
const page = (text: string, link: string): DefaultTheme.SidebarItem => ({ text, link });

/** A page that exists only with the part of the library that it is about. */
const optional = (text: string, link: string) => (existsSync(`${docs}${link}.md`) ? [page(text, link)] : []);

const guide: DefaultTheme.SidebarItem[] = [
  {
    text: 'Getting started',
    items: [
      page('Node', '/getting-started/node'),
      page('Browser', '/getting-started/browser'),
      page('GPU', '/getting-started/gpu'),
    ],
  },
  {
    text: 'Concepts',
    items: [
      page('Self-supervised learning', '/concepts/overview'),
      page('Views and augmentations', '/concepts/views'),
      page('Encoder', '/concepts/encoder'),
      page('Projection head', '/concepts/projection-head'),
      page('Contrastive loss', '/concepts/loss'),
      page('Evaluation', '/concepts/evaluation'),
      page('Methods', '/methods'),
      page('Engines and compile', '/concepts/engines'),
      page('Architecture', '/architecture'),
    ],
  },
  {
    text: 'Guides',
    items: [
      page('Your own images', '/guides/own-images'),
      page('Fine-tune an encoder', '/guides/fine-tuning'),
      page('Train in a page', '/guides/train-in-a-page'),
      page('Your own loss', '/guides/own-loss'),
      page('Your own training loop', '/guides/own-loop'),
      page('Weights from torchvision and back', '/guides/torchvision'),
      page('Resume and checkpoints', '/guides/resume'),
      page('Precision', '/guides/precision'),
      page('CUDA through TensorFlow', '/guides/cuda'),
      ...optional('Training on a CUDA 12 machine', '/tensorflow-cuda'),
      page('A machine without network', '/guides/offline'),
      page('Memory', '/guides/memory'),
      page('Large batches on small machines', '/guides/large-batches'),
      page('Many machines', '/guides/many-machines'),
    ],
  },
  {
    text: 'Results',
    items: [page('The experiment', '/experiment'), page('Benchmarks', '/benchmarks'), page('Sizes', '/sizes')],
  },
  {
    text: 'Help',
    items: [
      page('Troubleshooting', '/troubleshooting'),
      page('Contributing', '/contributing'),
      page('Changelog', '/changelog'),
    ],
  },
];

export default defineConfig({
  title: 'tfjs-ssl',
  description: 'Composable self-supervised-learning blocks for TensorFlow.js',
  lang: 'en',
  head: [['link', { rel: 'icon', href: '/mark.svg', type: 'image/svg+xml' }]],
  markdown: { math: true, theme: { light: 'github-light', dark: 'github-dark' } },
  themeConfig: {
    logo: '/mark.svg',
    nav: [
      { text: 'Get started', link: '/getting-started/node' },
      { text: 'Concepts', link: '/concepts/overview' },
      { text: 'Guides', link: '/guides/own-images' },
      { text: 'API', link: '/api/' },
      { text: 'Benchmarks', link: '/benchmarks' },
    ],
    sidebar: { '/api/': [{ text: 'API', link: '/api/', items: api }], '/': guide },
    outline: [2, 3],
    search: {
      provider: 'local',
      // pages that were written to be read come before the API pages that name the same word
      options: { miniSearch: { searchOptions: { boostDocument: (id: string) => (id.startsWith('/api/') ? 1 : 3) } } },
    },
    docFooter: { prev: 'Previous', next: 'Next' },
    footer: { message: 'Apache-2.0' },
  },
});
