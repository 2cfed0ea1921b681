/** Images in float64, [N, H, W, C], with the gradient of a sum that is built up on the way back. */
export interface Images {
  readonly shape: readonly [number, number, number, number];
  readonly data: Float64Array;
  readonly gradient: Float64Array;
}

/** Parameters by name with their gradients. */
export type Parameters = Readonly<Record<string, { readonly data: Float64Array; readonly gradient: Float64Array }>>;

/** How rectifiers choose. */
export interface RectifiedBy {
  /** Whether a value passes: the engine's choice, where one is to be followed. */
  readonly passes: (layer: string, index: number, value: number) => boolean;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/** New images. */
export function images(shape: Images['shape'], data = new Float64Array(sizeOf(shape))): Images {
  return { shape, data, gradient: new Float64Array(data.length) };
}

/** The layers of a ResNet in training, one value after the other in float64; `backward` goes back through all that have been applied. */
export class Float64Tape {
  readonly #parameters: Parameters;
  readonly #back: Array<() => void> = [];

  constructor(parameters: Parameters) {
    this.#parameters = parameters;
  }

  #parameter(name: string) {
    return this.#parameters[name] ?? fail(name);
  }

  /** Goes back through the layers. */
  backward(): void {
    for (const step of this.#back.reverse()) step();
  }

  /** A convolution without bias; its weight lies as [size, size, in, out]. */
  convolve(name: string, x: Images, size: number, stride: number): Images {
    const { data: w, gradient: dw } = this.#parameter(`${name}.weight`);
    const [n, height, width, channels] = x.shape;
    const padding = (size - 1) / 2;
    const filters = w.length / (size * size * channels);
    const outHeight = Math.floor((height + 2 * padding - size) / stride) + 1;
    const outWidth = Math.floor((width + 2 * padding - size) / stride) + 1;
    const y = images([n, outHeight, outWidth, filters]);
    const taps = (visit: (input: number, output: number, filter: number) => void): void => {
      for (let i = 0; i < n * outHeight * outWidth; i++) {
        const column = i % outWidth;
        const row = Math.floor(i / outWidth) % outHeight;
        const image = Math.floor(i / outWidth / outHeight);
        for (let tap = 0; tap < size * size; tap++) {
          const r = row * stride - padding + Math.floor(tap / size);
          const c = column * stride - padding + (tap % size);
          if (r < 0 || r >= height || c < 0 || c >= width) continue;
          visit(((image * height + r) * width + c) * channels, i * filters, tap * channels * filters);
        }
      }
    };
    taps((input, output, filter) => {
      for (let c = 0; c < channels; c++) {
        const value = x.data[input + c]!;
        const at = filter + c * filters;
        for (let f = 0; f < filters; f++) y.data[output + f]! += value * w[at + f]!;
      }
    });
    this.#back.push(() =>
      taps((input, output, filter) => {
        for (let c = 0; c < channels; c++) {
          const value = x.data[input + c]!;
          const at = filter + c * filters;
          let sum = 0;
          for (let f = 0; f < filters; f++) {
            const dy = y.gradient[output + f]!;
            sum += dy * w[at + f]!;
            dw[at + f]! += dy * value;
          }
          x.gradient[input + c]! += sum;
        }
      }),
    );
    return y;
  }

  /** A linear layer, of images of one pixel each; its weight lies as [in, out]. */
  linear(name: string, x: Images): Images {
    const [weight, bias] = [this.#parameter(`${name}.weight`), this.#parameter(`${name}.bias`)];
    const [n, , , channels] = x.shape;
    const units = bias.data.length;
    const y = images([n, 1, 1, units]);
    const each = (visit: (input: number, output: number, at: number) => void): void => {
      for (let i = 0; i < n * channels * units; i++) {
        const row = Math.floor(i / channels / units);
        const at = i % (channels * units);
        visit(row * channels + Math.floor(at / units), row * units + (at % units), at);
      }
    };
    y.data.forEach((_, i) => {
      y.data[i] = bias.data[i % units]!;
    });
    each((input, output, at) => {
      y.data[output]! += x.data[input]! * weight.data[at]!;
    });
    this.#back.push(() => {
      y.gradient.forEach((dy, i) => {
        bias.gradient[i % units]! += dy;
      });
      each((input, output, at) => {
        weight.gradient[at]! += x.data[input]! * y.gradient[output]!;
        x.gradient[input]! += weight.data[at]! * y.gradient[output]!;
      });
    });
    return y;
  }

  /** A rectifier alone. */
  rectify(name: string, x: Images, passes: RectifiedBy['passes']): Images {
    const passed = x.data.map((value, i) => Number(passes(name, i, value)));
    const y = images(
      x.shape,
      x.data.map((value, i) => value * passed[i]!),
    );
    this.#back.push(() => {
      y.gradient.forEach((dy, i) => {
        x.gradient[i]! += dy * passed[i]!;
      });
    });
    return y;
  }

  /** Batch norm with the statistics of the batch, plus a shortcut, through a rectifier. */
  normalise(name: string, x: Images, options: { residual?: Images; passes?: RectifiedBy['passes'] } = {}): Images {
    const { residual, passes } = options;
    const [gamma, beta] = [this.#parameter(`${name}.weight`), this.#parameter(`${name}.bias`)];
    const channels = x.shape[3];
    const rows = x.data.length / channels;
    const [mean, inverse] = [new Float64Array(channels), new Float64Array(channels)];
    x.data.forEach((value, i) => {
      mean[i % channels]! += value / rows;
    });
    x.data.forEach((value, i) => {
      inverse[i % channels]! += (value - mean[i % channels]!) ** 2 / rows;
    });
    inverse.forEach((variance, c) => {
      inverse[c] = 1 / Math.sqrt(variance + 1e-5);
    });
    const normalised = x.data.map((value, i) => (value - mean[i % channels]!) * inverse[i % channels]!);
    const before = normalised.map(
      (value, i) => value * gamma.data[i % channels]! + beta.data[i % channels]! + (residual?.data[i] ?? 0),
    );
    const passed = passes ? before.map((value, i) => Number(passes(name, i, value))) : before.map(() => 1);
    const y = images(
      x.shape,
      before.map((value, i) => value * passed[i]!),
    );
    this.#back.push(() => {
      const [sums, projections] = [new Float64Array(channels), new Float64Array(channels)];
      const dz = y.gradient.map((dy, i) => dy * passed[i]!);
      dz.forEach((d, i) => {
        sums[i % channels]! += d;
        projections[i % channels]! += d * normalised[i]!;
        if (residual) residual.gradient[i]! += d;
      });
      for (let c = 0; c < channels; c++) {
        beta.gradient[c]! += sums[c]!;
        gamma.gradient[c]! += projections[c]!;
      }
      dz.forEach((d, i) => {
        const c = i % channels;
        const centred = d - sums[c]! / rows - (normalised[i]! * projections[c]!) / rows;
        x.gradient[i]! += gamma.data[c]! * inverse[c]! * centred;
      });
    });
    return y;
  }

  /** Maximum of windows of 3 x 3 at every second place; `choice` gives the value by which a window chooses. */
  pool(x: Images, choice: (index: number) => number): Images {
    const [n, height, width, channels] = x.shape;
    const [outHeight, outWidth] = [Math.floor((height - 1) / 2) + 1, Math.floor((width - 1) / 2) + 1];
    const y = images([n, outHeight, outWidth, channels]);
    const chosen = new Int32Array(y.data.length);
    for (let i = 0; i < chosen.length; i++) {
      const c = i % channels;
      const column = Math.floor(i / channels) % outWidth;
      const row = Math.floor(i / channels / outWidth) % outHeight;
      const image = Math.floor(i / channels / outWidth / outHeight);
      let best = -1;
      for (let tap = 0; tap < 9; tap++) {
        const [r, s] = [2 * row - 1 + Math.floor(tap / 3), 2 * column - 1 + (tap % 3)];
        if (r < 0 || r >= height || s < 0 || s >= width) continue;
        const at = ((image * height + r) * width + s) * channels + c;
        if (best < 0 || choice(at) > choice(best)) best = at;
      }
      chosen[i] = best;
      y.data[i] = x.data[best]!;
    }
    this.#back.push(() => {
      chosen.forEach((at, i) => {
        x.gradient[at]! += y.gradient[i]!;
      });
    });
    return y;
  }

  /** Mean over all positions, [N, 1, 1, C]. */
  average(x: Images): Images {
    const [n, height, width, channels] = x.shape;
    const positions = height * width;
    const y = images([n, 1, 1, channels]);
    const place = (i: number): number => Math.floor(i / channels / positions) * channels + (i % channels);
    x.data.forEach((value, i) => {
      y.data[place(i)]! += value / positions;
    });
    this.#back.push(() => {
      for (let i = 0; i < x.gradient.length; i++) x.gradient[i]! += y.gradient[place(i)]! / positions;
    });
    return y;
  }
}

function fail(name: string): never {
  throw new RangeError(`Float64Tape: there is no parameter '${name}'.`);
}
