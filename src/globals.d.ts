declare module '*.wgsl' {
  const part: import('./webgpu/link.js').Part;
  export default part;
}
