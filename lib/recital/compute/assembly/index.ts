// Kernels on the one shared memory. Pointers are byte offsets; counts are elements or rows. Built
// twice: reproducible (plain SIMD, same bits everywhere) and fast (relaxed SIMD: fused
// multiply-add, whose last bit depends on the processor).
export { dotBiasBackward, dotBiasForward } from './dot-bias';
export { adam, adamRange, adamTable } from './adam';
export { alsRows, alsWorkspace } from './als';
export { moments, momentsTable } from './moments';
export { gemm, gemmColumns, gemmRows, gemmWorkspace } from './gemm';
export { denseBlock, denseTransposeBlock, sparseBlock } from './block';
export { gruBackward, gruForward } from './gru';
export { columnSums, gatherRows, relu, reluBackward, scaleShift, scatterRows } from './layers';
export { lstmBackward, lstmForward } from './lstm';
export { bprMaxRows } from './bpr-max';
export { crossEntropyRows } from './softmax';
export { skipAdvance, skipRows, skipScan, skipStep } from './skip';
export { sparseRows } from './sparse';
export { outerSum } from './outer-sum';
export { topRows } from './top';
