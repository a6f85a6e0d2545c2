// The kernels of assembly/index.ts and their parameters, written by build.mjs.
export interface KernelParameters {
  adam: 'n w g m v keep l2 b1 d1 b2 d2 step unbias eps';
  adamRange: 'from to w g m v keep l2 b1 d1 b2 d2 step unbias eps thread';
  adamTable: 'from to width slot w g m v keep l2 b1 d1 b2 d2 step unbias eps';
  alsRows: 'from to indptr indices confidence Y G width steps X scratch thread';
  alsWorkspace: 'width';
  bprMaxRows: 'from to width x parts scales reg thread';
  columnSums: 'n width x sums';
  crossEntropyRows: 'from to n x classes parts out scales thread';
  denseBlock: 'from to K a lda b subtract out thread';
  denseTransposeBlock: 'from to M a lda w out thread';
  dotBiasBackward: 'n k users items d U V slotU slotI gU gV gbu gbv';
  dotBiasForward: 'n k users items U V bu bv out';
  gatherRows: 'n width rows table out stride';
  gemm: 'M N K a rsa csa b rsb csb c ldc add scratch';
  gemmColumns: 'from to M K a rsa csa b rsb csb c ldc add scratch thread';
  gemmRows: 'from to N K a rsa csa b rsb csb c ldc add scratch thread';
  gemmWorkspace: '';
  gruBackward: 'from to steps H sizes W x u h dh scratch thread';
  gruForward: 'from to steps H sizes W b x u h scratch thread';
  lstmBackward: 'from to steps H sizes W z c t dh dc scratch thread';
  lstmForward: 'from to steps H sizes W z c t h scratch thread';
  moments: 'n w g m v k';
  momentsTable: 'count width slot w g m v k';
  outerSum: 'from to length left right out thread';
  relu: 'n x y';
  reluBackward: 'n y d out';
  scaleShift: 'n width x scale shift out';
  scatterRows: 'n width rows d stride table';
  skipAdvance: 'from to tables scalars spans nodes dr dq de c f eps';
  skipRows: 'from to rows width w m v last tables scalars spans blocks mark spentMark done measure shift scale eps ranges thread';
  skipScan: 'from to width m v last ranges thread';
  skipStep: 'from to rows width w g m v last mark fade b1 d1 b2 d2 a c e f eps ranges thread';
  sparseBlock: 'from to indptr indices values x left right out thread';
  sparseRows: 'from to indptr indices values x width z out thread';
  topRows: 'from to n length scores maskStart maskIndex index score counts thread';
}
