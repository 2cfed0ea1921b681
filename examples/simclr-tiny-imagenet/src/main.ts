import { cli } from './cli.ts';
import { runProgram } from './program.ts';

await runProgram(cli);
