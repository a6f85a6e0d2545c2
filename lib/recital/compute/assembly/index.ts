// Kernels on the one shared memory. Pointers are byte offsets; counts are elements or rows. Built
// twice: reproducible (plain SIMD, same bits everywhere) and fast (relaxed SIMD: fused
// multiply-add, whose last bit depends on the processor).
export { alsRows, alsWorkspace } from './als';
export { dotBiasBackward, dotBiasForward, outerSum } from './dot-bias';
export { gemm, gemmColumns, gemmRows, gemmWorkspace } from './gemm';
export { gruBackward, gruForward } from './gru';
export { columnSums, gatherRows, relu, reluBackward, scaleShift, scatterRows } from './layers';
export { bprMaxRows, crossEntropyRows } from './losses';
export { lstmBackward, lstmForward } from './lstm';
export { adam, adamRange, adamTable, moments, momentsTable } from './optimizers';
export { denseBlock, denseTransposeBlock, sparseBlock, sparseRows } from './products';
export { skipAdvance, skipRows, skipScan, skipStep } from './time-skipping';
export { topRows } from './top';
