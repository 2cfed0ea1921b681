/** Version of all packages; `npm run release:version` moves it. */
export const version = '0.1.0';
