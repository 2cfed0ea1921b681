import { runProgram } from '../program.ts';
import { study } from './study.ts';

await runProgram(study);
