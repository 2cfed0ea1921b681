/** The float32 value of every byte, as torchvision's ToTensor has it: fround(byte / 255). */
const unit = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Pixels in 0 to 255 as float32 in [0, 1]. */
export function toFloat(bytes: Uint8Array): Float32Array {
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) values[i] = unit[bytes[i] as number] as number;
  return values;
}
