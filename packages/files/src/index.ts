export { fileError } from './file-error.ts';
export { FileLock } from './file-lock.ts';
export { makeNewFolder } from './new-folder.ts';
export { environment, neededNodeModule, nodeModule } from './node-module.ts';
export { processors } from './processors.ts';
export { nameToCome, removeAbandoned, temporaryName } from './temporary-files.ts';
export { type FileToWrite, replaceFile, writeFilesAtomically } from './write-files.ts';
