import { maskedCrc32c } from './crc32c.ts';

/** Bytes before and after the content of a record: its length (8) and the sum of that (4); the sum of the content (4). */
const [headBytes, tailBytes] = [12, 4];

/**
 * Wraps a record as TensorFlow's record files (TFRecord) hold it.
 *
 * @param content - any bytes.
 * @returns length, its sum, content, its sum; little-endian.
 * @see https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
 */
export function frameRecord(content: Uint8Array): Uint8Array {
  const frame = new Uint8Array(headBytes + content.length + tailBytes);
  const view = new DataView(frame.buffer);
  view.setBigUint64(0, BigInt(content.length), true);
  view.setUint32(8, maskedCrc32c(frame.subarray(0, 8)), true);
  frame.set(content, headBytes);
  view.setUint32(headBytes + content.length, maskedCrc32c(content), true);
  return frame;
}

/** A record of a file: its content and where it begins, its length and sums included. */
export interface FramedRecord {
  readonly offset: number;
  readonly content: Uint8Array;
}

/** The records of a file up to its end or to the first that is damaged or incomplete, and where the last of them ends. */
export function readRecords(file: Uint8Array): { readonly records: FramedRecord[]; readonly end: number } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const records: FramedRecord[] = [];
  let offset = 0;
  while (offset + headBytes + tailBytes <= file.length) {
    const length = Number(view.getBigUint64(offset, true));
    if (view.getUint32(offset + 8, true) !== maskedCrc32c(file.subarray(offset, offset + 8))) break;
    const from = offset + headBytes;
    if (from + length + tailBytes > file.length) break;
    const content = file.subarray(from, from + length);
    if (view.getUint32(from + length, true) !== maskedCrc32c(content)) break;
    records.push({ offset, content });
    offset = from + length + tailBytes;
  }
  return { records, end: offset };
}
