/**
 * Files of tfjs-core's own tests, in `dist/`, that exercise what this engine computes itself, gradients and optimizers included.
 *
 * @type {ReadonlyArray<string>}
 */
export const suites = [
  // convolutions and products
  ...[
    'ops/conv1d_test',
    'ops/conv2d_test',
    'ops/conv2d_separable_test',
    'ops/conv2d_transpose_test',
    'ops/depthwise_conv2d_test',
  ],
  ...[
    'ops/fused/fused_conv2d_test',
    'ops/fused/fused_depthwise_conv2d_test',
    'ops/fused/fused_mat_mul_test',
    'ops/mat_mul_test',
  ],
  // pooling and normalisation
  ...[
    'ops/avg_pool_test',
    'ops/max_pool_test',
    'ops/pool_test',
    'ops/batchnorm_test',
    'ops/moments_test',
    'ops/softmax_test',
  ],
  ...['ops/log_softmax_test', 'ops/log_sum_exp_test', 'ops/dropout_test', 'ops/losses/softmax_cross_entropy_test'],
  // element by element
  ...[
    'ops/abs_test',
    'ops/add_test',
    'ops/add_n_test',
    'ops/arithmetic_test',
    'ops/binary_ops_test',
    'ops/exp_test',
    'ops/log_test',
  ],
  ...[
    'ops/neg_test',
    'ops/reciprocal_test',
    'ops/relu_test',
    'ops/relu6_test',
    'ops/rsqrt_test',
    'ops/sigmoid_test',
    'ops/sqrt_test',
  ],
  ...['ops/square_test', 'ops/step_test', 'ops/sub_test'],
  // comparisons
  ...[
    'ops/equal_test',
    'ops/greater_test',
    'ops/greater_equal_test',
    'ops/less_test',
    'ops/less_equal_test',
    'ops/not_equal_test',
  ],
  // reductions
  ...['ops/max_test', 'ops/mean_test', 'ops/sum_test', 'ops/norm_test'],
  // what moves or makes values
  ...[
    'ops/broadcast_to_test',
    'ops/concat_test',
    'ops/fill_test',
    'ops/ones_like_test',
    'ops/ones_test',
    'ops/pad_test',
  ],
  ...['ops/reverse_test', 'ops/reverse_1d_test', 'ops/reverse_2d_test', 'ops/reverse_3d_test', 'ops/reverse_4d_test'],
  ...[
    'ops/slice_test',
    'ops/slice1d_test',
    'ops/slice2d_test',
    'ops/slice3d_test',
    'ops/slice4d_test',
    'ops/split_test',
  ],
  ...[
    'ops/stack_test',
    'ops/strided_slice_test',
    'ops/tile_test',
    'ops/transpose_test',
    'ops/unstack_test',
    'ops/zeros_like_test',
  ],
  ...['ops/zeros_test', 'tensor_test', 'variable_test'],
  // the tape and the optimizers
  ...[
    'gradients_test',
    'optimizers/adam_optimizer_test',
    'optimizers/momentum_optimizer_test',
    'optimizers/sgd_optimizer_test',
  ],
  ...['optimizers/optimizer_test', 'optimizers/rmsprop_optimizer_test', 'optimizers/adagrad_optimizer_test'],
];

/** Tests that ask for what this library holds to be wrong, by the end of their names. */
export const differences = [
  // the gradient of an average over a padded window counts the padding there; TensorFlow, PyTorch and central differences do not
  'gradient x=[3,3,1] f=[3,3] s=1 p=explicit',
  // a maximum with NaN is NaN, as in PyTorch: a diverged step must show
  '[x=[3,3,1] f=[2,2] s=1 ignores NaNs',
];
