import { expect, it } from 'vitest';
import { decodeSafetensors } from './decode.ts';

const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** The first bytes of a zip whose first file has this name. */
const zip = (name: string) =>
  latin1(`PK\x03\x04${'\0'.repeat(22)}${String.fromCharCode(name.length)}\0\0\0${name}data`);

const messageOf = (bytes: Uint8Array): string => {
  try {
    decodeSafetensors(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    return (error as Error).message;
  }
  throw new Error('it was taken');
};

it('names files that are no safetensors files for what they are', () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 46827520\n`;
  const index = JSON.stringify({
    metadata: {},
    weight_map: { a: 'model-1-of-2.safetensors', b: 'model-2-of-2.safetensors', c: 'model-1-of-2.safetensors' },
  });
  const files = {
    empty: new Uint8Array(0),
    pointer: latin1(pointer),
    html: latin1('<!DOCTYPE html>\n<html><title>404</title></html>'),
    xml: latin1('\xef\xbb\xbf<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'),
    torch: zip('archive/data.pkl'),
    npz: zip('conv1.weight.npy'),
    zip: zip('model/readme.txt'),
    pickle: latin1('\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.'),
    hdf5: latin1('\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0'),
    npy: latin1("\x93NUMPY\x01\0v\0{'descr': '<f4'}"),
    gzip: latin1('\x1f\x8b\x08\0\0\0\0\0\0\x03'),
    gguf: latin1('GGUF\x03\0\0\0\0\0\0\0\0\0\0\0'),
    index: latin1(index),
    tensorflow: latin1('{"format":"layers-model","modelTopology":{}}'),
    json: latin1('{"architectures":["ResNet"]}'),
  };
  expect(
    Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, messageOf(bytes)])),
  ).toMatchInlineSnapshot(`
    {
      "empty": "decodeSafetensors: the file must be a safetensors file, got no bytes at all. Get the file again.",
      "gguf": "decodeSafetensors: the file must be a safetensors file, got a GGUF file. Get the safetensors file of that model.",
      "gzip": "decodeSafetensors: the file must be a safetensors file, got a gzip archive. Unpack it.",
      "hdf5": "decodeSafetensors: the file must be a safetensors file, got an HDF5 file, as Keras writes. Write its arrays in Python by safetensors.numpy.save_file.",
      "html": "decodeSafetensors: the file must be a safetensors file, got an HTML or XML page. Open it to read why, and download the file itself.",
      "index": "decodeSafetensors: the file must be a safetensors file, got an index of 2 files (model-1-of-2.safetensors, model-2-of-2.safetensors). Read each of those; loadWeights takes a part with strict: false.",
      "json": "decodeSafetensors: the file must be a safetensors file, got a JSON text. Get the file of the weights beside it.",
      "npy": "decodeSafetensors: the file must be a safetensors file, got a NumPy array (.npy). Write it in Python by safetensors.numpy.save_file.",
      "npz": "decodeSafetensors: the file must be a safetensors file, got a NumPy archive (.npz). Convert it in Python: safetensors.numpy.save_file(dict(numpy.load(path)), 'model.safetensors').",
      "pickle": "decodeSafetensors: the file must be a safetensors file, got a Python pickle, as older PyTorch files are. Convert it in Python: safetensors.torch.save_file(torch.load(path, weights_only=True), 'model.safetensors').",
      "pointer": "decodeSafetensors: the file must be a safetensors file, got a Git LFS pointer to a file of 46827520 bytes. Fetch the file itself: git lfs pull.",
      "tensorflow": "decodeSafetensors: the file must be a safetensors file, got a model.json of TensorFlow.js. Load it by tf.loadLayersModel.",
      "torch": "decodeSafetensors: the file must be a safetensors file, got a PyTorch file (a zip with a pickle). Convert it in Python: safetensors.torch.save_file(torch.load(path, weights_only=True), 'model.safetensors').",
      "xml": "decodeSafetensors: the file must be a safetensors file, got an HTML or XML page. Open it to read why, and download the file itself.",
      "zip": "decodeSafetensors: the file must be a safetensors file, got a zip archive that begins with model/readme.txt. Unpack it.",
    }
  `);
});

it('keeps the message of damage where it knows no better', () => {
  expect(messageOf(latin1('PNG and much else'))).toMatch(/the header must fit .* damaged/);
  expect(messageOf(latin1('{"weight_map": cut'))).toMatch(/the header must fit .* damaged/);
});
