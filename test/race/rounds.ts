/** How often each race is run: `npm run test:race` asks for more. */
export const rounds = Number(process.env.RACES ?? 3);
