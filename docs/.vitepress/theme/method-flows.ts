/** A box of a picture: its place, in columns from the left and rows from the top. */
export interface FlowBox {
  readonly at: readonly [column: number, row: number];
  readonly label: string;
  /** Second line, smaller. */
  readonly note?: string;
  /** `trained`: its weights get gradients. `average`: its weights follow others. `data`: no weights. */
  readonly kind: 'data' | 'trained' | 'average' | 'loss';
}

/** An arrow from box to box. */
export interface FlowArrow {
  readonly from: string;
  readonly to: string;
  /** `stop`: no gradient flows back. `average`: weights follow, after the update. Default: tensors flow there and gradients back. */
  readonly kind?: 'stop' | 'average';
}

/** How the tensors of a method flow. */
export interface Flow {
  /** The picture in a sentence or two, for those who do not see it. */
  readonly text: string;
  readonly boxes: Readonly<Record<string, FlowBox>>;
  readonly arrows: readonly FlowArrow[];
}

const box = (kind: FlowBox['kind'], at: FlowBox['at'], label: string, note?: string): FlowBox => ({
  kind,
  at,
  label,
  ...(note && { note }),
});
const arrows = (...chain: string[]): FlowArrow[] => chain.slice(1).map((to, i) => ({ from: chain[i] as string, to }));

/** One encoder for both views, and a loss of all rows. */
const oneBranch = (text: string, views: string, head: string, loss: string): Flow => ({
  text,
  boxes: {
    views: box('data', [0, 0], 'views', views),
    encoder: box('trained', [1, 0], 'encoder'),
    head: box('trained', [2, 0], 'head', head),
    loss: box('loss', [3, 0], loss),
  },
  arrows: arrows('views', 'encoder', 'head', 'loss'),
});

/** The picture of each method, by the name of its example. */
export const flows: Readonly<Record<string, Flow>> = {
  simclr: oneBranch(
    'Both views go through encoder and head into the loss, which compares all rows.',
    '0 and 1',
    'two layers',
    'NT-Xent',
  ),
  dcl: oneBranch(
    'As SimCLR; the loss leaves the positive pair out of its denominator.',
    '0 and 1',
    'two layers',
    'DCL',
  ),
  supcon: {
    text: 'As SimCLR; the loss also takes the labels, and all rows of a class are positives.',
    boxes: {
      views: box('data', [0, 0], 'views', '0 and 1'),
      encoder: box('trained', [1, 0], 'encoder'),
      head: box('trained', [2, 0], 'head', 'two layers'),
      loss: box('loss', [3, 0], 'SupCon'),
      labels: box('data', [2, 1], 'labels'),
    },
    arrows: [...arrows('views', 'encoder', 'head', 'loss'), { from: 'labels', to: 'loss', kind: 'stop' }],
  },
  moco: {
    text: 'View 0 goes through encoder and head: the queries. View 1 goes through their moving averages: the keys. The loss compares queries with keys and with the keys of earlier steps in a queue; no gradient flows to keys.',
    boxes: {
      first: box('data', [0, 0], 'view 0'),
      encoder: box('trained', [1, 0], 'encoder'),
      head: box('trained', [2, 0], 'head', 'two layers'),
      loss: box('loss', [4, 0], 'InfoNCE'),
      second: box('data', [0, 1], 'view 1'),
      keyEncoder: box('average', [1, 1], 'encoder', 'average'),
      keyHead: box('average', [2, 1], 'head', 'average'),
      queue: box('data', [3, 1], 'keys', 'and a queue'),
    },
    arrows: [
      ...arrows('first', 'encoder', 'head', 'loss'),
      ...arrows('second', 'keyEncoder', 'keyHead'),
      { from: 'keyHead', to: 'queue', kind: 'stop' },
      { from: 'queue', to: 'loss', kind: 'stop' },
      { from: 'encoder', to: 'keyEncoder', kind: 'average' },
      { from: 'head', to: 'keyHead', kind: 'average' },
    ],
  },
  byol: {
    text: 'A view goes through encoder, head and predictor; the other view through the moving averages of encoder and head. The loss is minus their cosine; no gradient flows to the averages. Both views take both places.',
    boxes: {
      first: box('data', [0, 0], 'view 0', 'then 1'),
      encoder: box('trained', [1, 0], 'encoder'),
      head: box('trained', [2, 0], 'head', 'two layers'),
      predictor: box('trained', [3, 0], 'predictor', 'two layers'),
      loss: box('loss', [4, 0], '− cosine'),
      second: box('data', [0, 1], 'view 1', 'then 0'),
      targetEncoder: box('average', [1, 1], 'encoder', 'average'),
      targetHead: box('average', [2, 1], 'head', 'average'),
    },
    arrows: [
      ...arrows('first', 'encoder', 'head', 'predictor', 'loss'),
      ...arrows('second', 'targetEncoder', 'targetHead'),
      { from: 'targetHead', to: 'loss', kind: 'stop' },
      { from: 'encoder', to: 'targetEncoder', kind: 'average' },
      { from: 'head', to: 'targetHead', kind: 'average' },
    ],
  },
  simsiam: {
    text: 'Both views go through the same encoder and head. A predictor guesses the projection of one view from that of the other. The loss is minus their cosine; no gradient flows through the side without the predictor. Both views take both places.',
    boxes: {
      first: box('data', [0, 0], 'view 0', 'then 1'),
      second: box('data', [0, 1], 'view 1', 'then 0'),
      encoder: box('trained', [1, 0], 'encoder', 'of both'),
      head: box('trained', [2, 0], 'head', 'three layers'),
      predictor: box('trained', [3, 0], 'predictor', 'bottleneck'),
      loss: box('loss', [4, 0], '− cosine'),
    },
    arrows: [
      ...arrows('first', 'encoder', 'head', 'predictor', 'loss'),
      { from: 'second', to: 'encoder' },
      { from: 'head', to: 'loss', kind: 'stop' },
    ],
  },
  'barlow-twins': oneBranch(
    'Both views go through encoder and expander. The loss wants the correlations between the features of the two views to be the identity.',
    '0 and 1',
    'expander',
    'Barlow Twins',
  ),
  vicreg: oneBranch(
    'Both views go through encoder and expander. The loss has three terms: invariance, variance, covariance.',
    '0 and 1',
    'expander',
    'VICReg',
  ),
  swav: {
    text: 'Large and small crops go through encoder and head and are compared with prototypes. The Sinkhorn algorithm makes assignments of the scores of each large crop; the loss predicts them from all other crops. No gradient flows to the assignments.',
    boxes: {
      large: box('data', [0, 0], 'large', 'views 0, 1'),
      small: box('data', [0, 1], 'small', 'views 2 …'),
      encoder: box('trained', [1, 0], 'encoder', 'of both'),
      head: box('trained', [2, 0], 'head', 'unit length'),
      prototypes: box('trained', [3, 0], 'prototypes', 'unit length'),
      sinkhorn: box('data', [3, 1], 'Sinkhorn', 'of large'),
      loss: box('loss', [4, 0], 'SwAV'),
    },
    arrows: [
      ...arrows('large', 'encoder', 'head', 'prototypes', 'loss'),
      { from: 'small', to: 'encoder' },
      { from: 'prototypes', to: 'sinkhorn', kind: 'stop' },
      { from: 'sinkhorn', to: 'loss', kind: 'stop' },
    ],
  },
  dino: {
    text: 'The student sees large and small crops. The teacher, a moving average of the student, sees the large ones; its logits are centred and sharpened. The loss predicts them from all other crops of the student. No gradient flows to the teacher.',
    boxes: {
      small: box('data', [0, 0], 'all crops'),
      encoder: box('trained', [1, 0], 'encoder', 'student'),
      head: box('trained', [2, 0], 'head', 'student'),
      loss: box('loss', [4, 0], 'DINO'),
      large: box('data', [0, 1], 'large crops'),
      teacherEncoder: box('average', [1, 1], 'encoder', 'teacher'),
      teacherHead: box('average', [2, 1], 'head', 'teacher'),
      center: box('data', [3, 1], 'center', 'running mean'),
    },
    arrows: [
      ...arrows('small', 'encoder', 'head', 'loss'),
      ...arrows('large', 'teacherEncoder', 'teacherHead'),
      { from: 'teacherHead', to: 'center', kind: 'stop' },
      { from: 'center', to: 'loss', kind: 'stop' },
      { from: 'encoder', to: 'teacherEncoder', kind: 'average' },
      { from: 'head', to: 'teacherHead', kind: 'average' },
    ],
  },
};
