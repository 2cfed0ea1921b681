import { describeGolden } from './harness.ts';
import { treatLoss } from './loss-cases.ts';

await describeGolden('objectives', treatLoss);
