export const most: number;
export const others: readonly { readonly name: string; readonly lines: number; readonly source: string }[];
export function countLines(code: string, comment?: string): number;
export function shortestTraining(): string;
export function comparison(): string[];
