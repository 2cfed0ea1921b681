export { fileError } from './file-error.ts';
export { environment, neededNodeModule, nodeModule } from './node-module.ts';
export { processors } from './processors.ts';
export { type FileToWrite, temporarySuffix, writeFilesAtomically } from './write-files.ts';
