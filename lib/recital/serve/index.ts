export {
  type ServedError,
  type ServedHealth,
  type ServedList,
  type ServedTrack,
  type ServeOptions,
  type Service,
  serve,
} from './serve.js';
