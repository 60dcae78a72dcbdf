// Class indices, one a row. The kernel declares params with classes, ignores and ignore_index.

@group(0) @binding(22) var<storage, read> targets: array<i32>; // (rows)

struct Label {
  class_index: u32, // 0 stands in for a target that is no class, so that nothing out of range is read
  known: bool,      // the target is a class
  ignored: bool,
}

fn label_of(row: u32) -> Label {
  let target_index = targets[offsets.targets + row];
  let known = target_index >= 0 && u32(target_index) < params.classes;
  let ignored = params.ignores == 1u && target_index == params.ignore_index;
  return Label(select(0u, u32(target_index), known), known, ignored);
}
