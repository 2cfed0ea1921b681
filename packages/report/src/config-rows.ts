/** A setting: its dotted name and its value as text. */
export type Row = readonly [name: string, value: string];

/**
 * A configuration as rows for a table.
 *
 * @param value - fit for JSON; lists stay in one row.
 */
export function configRows(value: unknown, name = ''): Row[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, inner]) => configRows(inner, name ? `${name}.${key}` : key));
  }
  return [[name, Array.isArray(value) ? value.map(show).join(', ') : show(value)]];
}

const show = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));
