/** Colours by what they are for, in light: custom properties of the page, and the colours of a chart that stands alone. */
export const lightColors: Readonly<Record<string, string>> = {
  page: '#f5f5f2',
  surface: '#fff',
  border: '#e4e3dd',
  ink: '#16160f',
  'ink-2': '#5c5b54',
  grid: '#e9e8e2',
  axis: '#bdbcb3',
  'series-1': '#2a6fc9',
  'series-2': '#d1561d',
  'series-3': '#17845c',
};

/** The same for readers who prefer it dark. */
export const darkColors: Readonly<Record<string, string>> = {
  page: '#121211',
  surface: '#1c1c1a',
  border: '#31312d',
  ink: '#f2f1ea',
  'ink-2': '#b3b2a8',
  grid: '#2c2c29',
  axis: '#55544e',
  'series-1': '#5598ea',
  'series-2': '#ee8350',
  'series-3': '#3cb588',
};
