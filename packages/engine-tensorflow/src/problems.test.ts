import { expect, it } from 'vitest';
import type { Addon } from './find-addon.ts';
import { installationProblem, loadProblem, noDriverProblem, noGpuProblem } from './problems.ts';

const official: Addon = {
  packageName: '@tensorflow/tfjs-node',
  folder: '/app/node_modules/@tensorflow/tfjs-node',
  version: '4.22.0',
  path: '/app/node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node',
  built: true,
  link: null,
};
const linked: Addon = { ...official, link: { tensorflow: '/venv/tensorflow', version: '2.20.0', installed: true } };

it('says what to do where no package is installed', () => {
  expect(installationProblem(null)).toMatchInlineSnapshot(
    `"neither @tensorflow/tfjs-node-gpu nor @tensorflow/tfjs-node is installed. Run \`npm run link-tensorflow -- --tensorflow DIR\` (elsewhere: \`npx link-tensorflow --tensorflow DIR\`), DIR being an installed TensorFlow; docs/tensorflow-cuda.md has all steps."`,
  );
});

it('says what to do where the addon was not built', () => {
  expect(installationProblem({ ...official, built: false })).toMatchInlineSnapshot(
    `"@tensorflow/tfjs-node is installed without its native addon (/app/node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node is missing). Run \`npm run link-tensorflow -- --tensorflow DIR\` (elsewhere: \`npx link-tensorflow --tensorflow DIR\`) to build it against a TensorFlow of this machine, or \`npm rebuild @tensorflow/tfjs-node\` to download the official one."`,
  );
});

it('says what to do where the package is another version', () => {
  expect(installationProblem({ ...official, version: '4.21.0' })).toMatchInlineSnapshot(
    `"@tensorflow/tfjs-node 4.21.0 is installed, and this engine knows 4.22.0. Run \`npm install --ignore-scripts @tensorflow/tfjs-node@4.22.0\`."`,
  );
});

it('has nothing against what is complete', () => {
  expect(installationProblem(official)).toBeNull();
});

it('names the TensorFlow that went away', () => {
  const message = 'libtensorflow_cc.so.2: cannot open shared object file: No such file or directory';
  expect(loadProblem(message, linked)).toMatchInlineSnapshot(
    `"the addon needs libtensorflow_cc.so.2, which is not found. It was linked to TensorFlow 2.20.0 in /venv/tensorflow. Run \`npm run link-tensorflow -- --tensorflow DIR\` (elsewhere: \`npx link-tensorflow --tensorflow DIR\`), DIR being a TensorFlow that is there."`,
  );
  expect(loadProblem(message, official)).toContain('npm rebuild @tensorflow/tfjs-node');
});

it('names the CUDA library that is missing', () => {
  const message = 'libcudart.so.12: cannot open shared object file: No such file or directory';
  expect(loadProblem(message, linked)).toMatchInlineSnapshot(
    `"TensorFlow needs CUDA's libcudart.so.12, which is not found. Install the CUDA version that this TensorFlow was made for (\`pip install 'tensorflow[and-cuda]'\` brings it) and link again, or add its folder to LD_LIBRARY_PATH; docs/tensorflow-cuda.md has all steps."`,
  );
});

it('names the function that another TensorFlow does not have', () => {
  const message = '/app/tfjs_binding.node: undefined symbol: TFE_NewContextOptions';
  expect(loadProblem(message, linked)).toMatchInlineSnapshot(
    `"the addon needs the function TFE_NewContextOptions, which the TensorFlow it finds does not have: it is older or newer than the one the addon was built for. Run \`npm run link-tensorflow -- --tensorflow DIR\` (elsewhere: \`npx link-tensorflow --tensorflow DIR\`), DIR being a TensorFlow that is there."`,
  );
});

it('names the C library that is too old', () => {
  const message = "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by libtensorflow_cc.so.2)";
  expect(loadProblem(message, linked)).toMatchInlineSnapshot(
    `"TensorFlow needs GLIBC_2.34, which this system's C or C++ library does not have. Use a TensorFlow made for this system (an older one), or a newer system."`,
  );
});

it('tells an addon of another machine', () => {
  expect(loadProblem('/app/tfjs_binding.node: invalid ELF header', official)).toContain('another kind of machine');
});

it('passes on what it does not know', () => {
  expect(loadProblem('something else', official)).toContain('cannot be loaded: something else');
});

it('says what to check where there is no GPU', () => {
  expect(noGpuProblem('2.20.0', linked)).toMatchInlineSnapshot(
    `"a GPU was demanded, and TensorFlow 2.20.0 found none. Check in this order: \`nvidia-smi\` lists the GPU; the TensorFlow is one for GPUs (\`pip install 'tensorflow[and-cuda]'\`, not \`tensorflow-cpu\`); its CUDA libraries are found (\`TF_CPP_MIN_LOG_LEVEL=0 TF_CPP_MAX_VLOG_LEVEL=3\` names what is missing); docs/tensorflow-cuda.md has all steps."`,
  );
  expect(noGpuProblem('2.9.1', official)).toContain('made for CUDA 11.2 with cuDNN 8.1');
});

it('says what is missing where there is no driver', () => {
  expect(noDriverProblem()).toMatchInlineSnapshot(
    `"a GPU was demanded, and this system has no driver for one: none of /dev/nvidiactl, /dev/dxg, /dev/kfd is there. Install NVIDIA's driver and see that \`nvidia-smi\` lists the GPU (a container must be started with it, as by \`docker run --gpus all\`); docs/tensorflow-cuda.md has all steps."`,
  );
});
