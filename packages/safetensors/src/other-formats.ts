/** What a file is that is no safetensors file, and what to do with it. */
export interface OtherFormat {
  readonly what: string;
  readonly advice: string;
}

const convert =
  "Convert it in Python: safetensors.torch.save_file(torch.load(path, weights_only=True), 'model.safetensors')";

/**
 * Recognises files that are often taken for safetensors files.
 *
 * @returns null if the format is not a known one.
 */
export function otherFormat(bytes: Uint8Array): OtherFormat | null {
  if (bytes.length === 0) return { what: 'no bytes at all', advice: 'Get the file again' };
  const head = latin1(bytes, 512);
  if (head.startsWith('version https://git-lfs.github.com/spec')) {
    const size = /^size (\d+)$/m.exec(head)?.[1];
    const of = size === undefined ? '' : ` to a file of ${size} bytes`;
    return { what: `a Git LFS pointer${of}`, advice: 'Fetch the file itself: git lfs pull' };
  }
  if (/^(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|\?xml|!--)/i.test(head)) {
    return { what: 'an HTML or XML page', advice: 'Open it to read why, and download the file itself' };
  }
  if (head.startsWith('PK\x03\x04')) return zip(head);
  // the protocol of the pickle is the second byte
  if (head[0] === '\x80' && head.charCodeAt(1) >= 2 && head.charCodeAt(1) <= 5) {
    return { what: 'a Python pickle, as older PyTorch files are', advice: convert };
  }
  if (head.startsWith('\x89HDF\r\n\x1a\n')) {
    return {
      what: 'an HDF5 file, as Keras writes',
      advice: 'Write its arrays in Python by safetensors.numpy.save_file',
    };
  }
  if (head.startsWith('\x93NUMPY')) {
    return { what: 'a NumPy array (.npy)', advice: 'Write it in Python by safetensors.numpy.save_file' };
  }
  if (head.startsWith('\x1f\x8b')) return { what: 'a gzip archive', advice: 'Unpack it' };
  if (head.startsWith('GGUF')) return { what: 'a GGUF file', advice: 'Get the safetensors file of that model' };
  return /^\s*\{/.test(head) ? json(bytes) : null;
}

function zip(head: string): OtherFormat {
  const first = head.slice(30, 30 + head.charCodeAt(26) + 256 * head.charCodeAt(27));
  if (/(?:^|\/)(?:data\.pkl|\.format_version|byteorder|version)$/.test(first)) {
    return { what: 'a PyTorch file (a zip with a pickle)', advice: convert };
  }
  if (first.endsWith('.npy')) {
    return {
      what: 'a NumPy archive (.npz)',
      advice: "Convert it in Python: safetensors.numpy.save_file(dict(numpy.load(path)), 'model.safetensors')",
    };
  }
  return { what: `a zip archive that begins with ${first}`, advice: 'Unpack it' };
}

function json(bytes: Uint8Array): OtherFormat | null {
  let content: Record<string, unknown>;
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
  if (typeof content.weight_map === 'object' && content.weight_map !== null) {
    const files = [...new Set(Object.values(content.weight_map))];
    return {
      what: `an index of ${files.length} files (${files.slice(0, 3).join(', ')}${files.length > 3 ? ', …' : ''})`,
      advice: 'Read each of those; loadWeights takes a part with strict: false',
    };
  }
  if ('modelTopology' in content) {
    return { what: 'a model.json of TensorFlow.js', advice: 'Load it by tf.loadLayersModel' };
  }
  return { what: 'a JSON text', advice: 'Get the file of the weights beside it' };
}

function latin1(bytes: Uint8Array, count: number): string {
  return String.fromCharCode(...bytes.subarray(0, count));
}
