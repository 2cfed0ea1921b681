/** Side of a picture in pixels. */
export const size = 64;

/** A picture: its name and its pixels in RGBA, rows of `size`. */
export interface Picture {
  readonly name: string;
  readonly pixels: ImageData;
}

type Draw = (context: OffscreenCanvasRenderingContext2D, ink: string) => void;

const motifs: Readonly<Record<string, Draw>> = {
  stripes(context) {
    context.rotate(Math.PI / 5);
    for (let x = -96; x < 96; x += 14) context.fillRect(x, -96, 7, 192);
  },
  rings(context) {
    context.lineWidth = 5;
    for (let radius = 6; radius < 48; radius += 11) {
      context.beginPath();
      context.arc(0, 0, radius, 0, 2 * Math.PI);
      context.stroke();
    }
  },
  dots(context) {
    for (let y = -28; y <= 28; y += 14) {
      for (let x = -28; x <= 28; x += 14) {
        context.beginPath();
        context.arc(x, y, 4.5, 0, 2 * Math.PI);
        context.fill();
      }
    }
  },
  house(context, ink) {
    context.fillRect(-17, -4, 34, 28);
    context.fillStyle = '#7a4630';
    context.beginPath();
    context.moveTo(-24, -4);
    context.lineTo(0, -26);
    context.lineTo(24, -4);
    context.fill();
    context.fillStyle = '#f5e6b0';
    context.fillRect(-11, 3, 9, 9);
    context.fillRect(3, 3, 9, 9);
    context.fillStyle = ink;
  },
};

const palettes = [
  { color: 'red', ink: '#c8433a', paper: '#f3e9dc' },
  { color: 'green', ink: '#3d8f57', paper: '#e6efe2' },
  { color: 'blue', ink: '#3a63c4', paper: '#e2e8f3' },
  { color: 'night', ink: '#d9c15a', paper: '#222a3c' },
  { color: 'violet', ink: '#8146a8', paper: '#efe4f2' },
];

/** Draws every motif in every palette. */
export function drawPictures(): Picture[] {
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('This browser gives no canvas to draw on.');
  return Object.entries(motifs).flatMap(([motif, draw]) =>
    palettes.map(({ color, ink, paper }) => {
      context.resetTransform();
      context.fillStyle = paper;
      context.fillRect(0, 0, size, size);
      context.translate(size / 2, size / 2);
      context.fillStyle = ink;
      context.strokeStyle = ink;
      draw(context, ink);
      return { name: `${color} ${motif}`, pixels: context.getImageData(0, 0, size, size) };
    }),
  );
}
