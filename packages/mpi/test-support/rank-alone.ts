// Opens MPI and says where it is; with an argument, one rank of it finds no library.
import { openMpi } from '@tfjs-ssl/mpi';

const { PMI_RANK, OMPI_COMM_WORLD_RANK, PMIX_RANK } = process.env;
if (process.argv[2] === 'rank-1-without' && (OMPI_COMM_WORLD_RANK ?? PMI_RANK ?? PMIX_RANK) === '1') {
  process.env.TFJS_SSL_MPI = 'libnone.so.1';
}
const { rank, size, library, finalize } = await openMpi();
console.log(`open ${JSON.stringify({ rank, size, library })}`);
finalize();
