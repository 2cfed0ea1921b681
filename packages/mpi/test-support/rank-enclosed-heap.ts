// One rank whose heap cannot grow, as in processes where V8 has put its code right behind it.
import { readFileSync } from 'node:fs';
import { openMpi } from '@tfjs-ssl/mpi';
import koffi from 'koffi';

const [, end] = /-([\da-f]+) .*\[heap\]$/m.exec(readFileSync('/proc/self/maps', 'utf8')) as RegExpExecArray;
const mmap = koffi.load(null).func('mmap', 'intptr_t', ['intptr_t', 'size_t', 'int', 'int', 'int', 'intptr_t']);
const [noAccess, privateAnonymousFixed] = [0, 0x2 | 0x20 | 0x10_0000];
const behind = Number(`0x${end}`);
if (mmap(behind, 4096, noAccess, privateAnonymousFixed, -1, 0) !== behind)
  throw new Error('the heap has grown meanwhile');
const before = heapEnd();
const mpi = await openMpi();
console.log(`heap ${heapEnd() >= before ? 'kept' : 'cut'}`);
mpi.finalize();

function heapEnd(): number {
  return Number(koffi.load(null).func('sbrk', 'intptr_t', ['intptr_t'])(0));
}
