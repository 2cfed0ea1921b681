import { defineConfig } from 'vite';

// The threads of the WebAssembly engine share memory, which a browser gives only to a page that is isolated from other origins.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  server: { headers },
  preview: { headers },
  // the engine finds its kernels and workers beside itself, where the development server must leave them
  // and what it imports has to be bundled all the same
  optimizeDeps: {
    exclude: ['@tfjs-ssl/engine-simd'],
    include: ['@tensorflow/tfjs-backend-cpu', '@tensorflow/tfjs-layers'],
  },
  build: { target: 'es2022', chunkSizeWarningLimit: 2000 },
});
