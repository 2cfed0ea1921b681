/**
 * WGSL for numbers that may be infinite or NaN.
 *
 * Compilers may take for granted that no number is, and `max(NaN, 0)` may be 0: a NaN must not get lost, or a training goes on with weights that
 * are spoiled. So these look at bits.
 *
 * @param type - WGSL type of the numbers.
 */
export const numbersCode = (type: 'f32' | 'vec4f'): string => {
  const [bits, mask] = type === 'f32' ? ['u32', 'bool'] : ['vec4u', 'vec4<bool>'];
  return `
  fn isNotANumber(x: ${type}) -> ${mask} { return (bitcast<${bits}>(x) & ${bits}(0x7fffffffu)) > ${bits}(0x7f800000u); }

  fn isFiniteNumber(x: ${type}) -> ${mask} { return (bitcast<${bits}>(x) & ${bits}(0x7f800000u)) != ${bits}(0x7f800000u); }

  // max(x, 0): 0 takes the place of all from -0 to -infinity.
  fn rectified(x: ${type}) -> ${type} {
    let bits = bitcast<${bits}>(x);
    return bitcast<${type}>(select(bits, ${bits}(), bits - ${bits}(0x80000000u) <= ${bits}(0x7f800000u)));
  }

  fn larger(a: ${type}, b: ${type}) -> ${type} { return select(select(max(a, b), b, isNotANumber(b)), a, isNotANumber(a)); }

  fn smaller(a: ${type}, b: ${type}) -> ${type} { return select(select(min(a, b), b, isNotANumber(b)), a, isNotANumber(a)); }

  // x; NaN where another number is not finite.
  fn spoiledBy(x: ${type}, other: ${type}) -> ${type} {
    return bitcast<${type}>(bitcast<${bits}>(x) | select(${bits}(0x7fc00000u), ${bits}(), isFiniteNumber(other)));
  }`;
};
