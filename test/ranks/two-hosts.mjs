// `node test/ranks/two-hosts.mjs [GBIT ...]`: trains on two ranks that talk over a network of so many Gb/s (default: 1 and 10), and prints what a step
// computes and what it communicates beside the model. The two hosts are network namespaces of this machine. It needs root, `ip` and `tc` (Debian's
// iproute2) and Open MPI 4 in the path, and takes about a minute.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [steps, warmUp, batchSize] = [7, 2, 32];
if (process.env.OMPI_COMM_WORLD_RANK === undefined) measure();
else await train(process.argv[2]);

/** Builds the two hosts, measures, and takes them down. */
function measure() {
  if (process.getuid?.() !== 0) {
    console.error('two-hosts: network namespaces are made by root alone. Start this as root.');
    process.exit(1);
  }
  const rates = process.argv.slice(2).map(Number);
  const [a, b] = ['tfjs-ssl-a', 'tfjs-ssl-b'];
  const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const folder = mkdtempSync(join(tmpdir(), 'tfjs-ssl-hosts-'));
  try {
    for (const host of [a, b]) ip('netns', 'add', host);
    ip('link', 'add', 'cable', 'netns', a, 'type', 'veth', 'peer', 'name', 'cable', 'netns', b);
    for (const [i, host] of [a, b].entries()) {
      ip('-n', host, 'addr', 'add', `10.9.0.${i + 1}/24`, 'dev', 'cable');
      for (const device of ['lo', 'cable']) ip('-n', host, 'link', 'set', device, 'up');
    }
    // in place of ssh
    const agent = join(folder, 'agent');
    writeFileSync(agent, `#!/bin/sh\nshift\nexec ip netns exec ${b} sh -c "$*"\n`);
    chmodSync(agent, 0o755);
    for (const rate of rates.length > 0 ? rates : [1, 10]) {
      for (const host of [a, b]) {
        const limit = ['root', 'tbf', 'rate', `${rate}gbit`, 'burst', '4mb', 'latency', '50ms'];
        ip('netns', 'exec', host, 'tc', 'qdisc', 'replace', 'dev', 'cable', ...limit);
      }
      for (const exchange of ['float32', 'bfloat16']) {
        const network = ['--mca', 'btl', 'tcp,self', '--mca', 'btl_tcp_if_include', '10.9.0.0/24'];
        const hosts = ['--host', '10.9.0.1,10.9.0.2', '--mca', 'plm_rsh_agent', agent];
        const start = ['mpirun', '--allow-run-as-root', '--bind-to', 'none', ...hosts, ...network];
        const rank = [process.execPath, fileURLToPath(import.meta.url), exchange];
        const printed = execFileSync('ip', ['netns', 'exec', a, ...start, '-n', '2', ...rank], { encoding: 'utf8' });
        const { bytes, computing, communicating } = JSON.parse(printed);
        const model = (bytes * 8) / (rate * 1e6); // both ranks: 2 (N - 1) / N = 1
        const texts = [computing, communicating, model].map((value) => `${value.toFixed(0)} ms`.padStart(7));
        console.log(
          `${rate} Gb/s, ${exchange.padEnd(8)}: computes${texts[0]}, communicates${texts[1]}, model${texts[2]}`,
        );
      }
    }
  } finally {
    for (const host of [a, b]) ip('netns', 'delete', host);
    rmSync(folder, { recursive: true });
  }
}

/** One rank: a ResNet-18 on images of 64 x 64 pixels, on one thread. */
async function train(exchange) {
  const ssl = await import('@tfjs-ssl/all');
  const { openMpi } = await import('@tfjs-ssl/mpi');
  const mpi = await openMpi();
  let communicating = 0;
  const timed =
    (name) =>
    (...args) => {
      const start = performance.now();
      mpi[name](...args);
      communicating += performance.now() - start;
    };
  const names = ['allReduce', 'broadcast', 'allGather', 'reduceScatter', 'allToAll'];
  const { rank, size } = mpi;
  const world = { rank, size, ...Object.fromEntries(names.map((name) => [name, timed(name)])) };

  await ssl.startEngine('simd', { threads: 1 });
  const images = ssl.generatedImages({ classes: 2, imagesPerClass: (steps * batchSize) / 2, size: 64 });
  const feed = await ssl.imageFeed(images, { chain: ssl.simclrChain({ size: 64 }), batchSize, world });
  const encoder = ssl.resnet18({ inputShape: [64, 64, 3] });
  const head = ssl.simclrHead({ inputSize: 512 });
  const weights = ssl.namedWeights({ encoder, head });
  const trainer = new ssl.Trainer({
    ...weights,
    inputs: feed.specs,
    loss: (inputs) => {
      const features = encoder.apply(feed.views(inputs), { training: true });
      return ssl.ntXent(ssl.gatherViews(head.apply(features, { training: true })), { temperature: 0.1 });
    },
    optimizer: ssl.adam(),
    schedule: ssl.constantSchedule({ learningRate: 1e-3 }),
    gradientExchange: exchange,
    world,
  });
  const seen = [];
  let start = performance.now();
  for await (const event of trainer.fit({ epochs: 1, ...feed })) {
    if (event.type !== 'step') continue;
    // who comes last to an exchange waits for nobody
    const least = Float64Array.of(communicating);
    mpi.allReduce(least, 'min');
    seen.push({ whole: performance.now() - start, communicating: least[0] });
    communicating = 0;
    start = performance.now();
  }
  const median = (values) => values.sort((x, y) => x - y)[Math.floor(values.length / 2)];
  const counted = seen.slice(warmUp);
  const exchanged = median(counted.map((step) => step.communicating));
  const values = Object.values(weights.parameters).reduce((sum, { size: count }) => sum + count, 0);
  if (rank === 0) {
    const computing = median(counted.map((step) => step.whole)) - exchanged;
    console.log(
      JSON.stringify({ bytes: values * (exchange === 'float32' ? 4 : 2), computing, communicating: exchanged }),
    );
  }
  mpi.finalize();
}
