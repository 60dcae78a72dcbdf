// Cross-entropy of logits and targets, which are class indices or soft labels: the loss of each row and its derivative by the logits,
// in one pass, with every option (base/masses.wgsl has the formulas).
//
// An index without smoothing needs no second look at the row: its mass is the target's weight.
// Twin: src/cpu/cross-entropy.ts
// Needs: base/row_loss.wgsl, base/targets.wgsl, base/masses.wgsl

struct Params {
  rows: u32,
  classes: u32,
  inner: u32,
  inverse_temperature: f32,
  far: f32,
  divided_by: f32,
  ignores: u32, // 0: nothing is ignored
  ignore_index: i32,
  all_classes: u32, // classes
  smoothing: f32,
  z_loss: f32,
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read_write> target_gradient: array<u32>; // (rows, classes)
@group(0) @binding(7) var<storage, read_write> correct: array<u32>; // (rows)
@group(0) @binding(8) var<storage, read_write> log_sum_exps: array<u32>; // (rows)

override HAS_TARGET_GRADIENT: bool = false;
override HAS_CORRECT: bool = false;
override HAS_LOG_SUM_EXPS: bool = false;

struct Terms {
  row: RowSum,
  label: Label,
  start: u32,
  masses: Masses,
  undefined: bool,
  is_correct: bool,
}

fn row_terms(at: Invocation, place: Lane, start: u32) -> Terms {
  var label = Label(0u, true, false);
  if (!HAS_LABELS) {
    label = label_of(place.row);
  }
  let row = row_sum(at, place);
  let some = Some(0u, start, start);
  var terms = Terms(row, label, start, Masses(), false, false);
  if (HAS_LABELS || SMOOTHING) {
    terms.masses = total_masses(at, place.lane, row, some, label.class_index);
  } else {
    terms.masses = target_mass(class_weight(label.class_index), logit(start + label.class_index * params.inner), row);
  }
  terms.undefined = !label.known || is_undefined(row) || terms.masses.flags == NO_ANSWER;
  if (HAS_CORRECT) {
    let best = bests_of(at, place.lane, some);
    let wanted = select(label.class_index, best.label.y, HAS_LABELS);
    terms.is_correct = best.logit.y == wanted && !terms.undefined && !label.ignored;
  }
  return terms;
}

fn is_ignored(terms: Terms) -> bool {
  return terms.label.ignored;
}

fn loss_bits(terms: Terms) -> u32 {
  return select(loss_of(terms.row, terms.masses), NAN_BITS, terms.undefined);
}

fn derivatives(terms: Terms, c: vec4u, i: vec4u, bits: vec4u) -> vec4u {
  if (terms.undefined) {
    return vec4u(NAN_BITS);
  }
  return slopes_of(terms.row, terms.masses.sum, masses_of(c, i, terms.label.class_index), bits);
}

fn finish_row(terms: Terms, place: Lane, scale: u32, slopes: bool) {
  if (place.lane == 0u) {
    if (HAS_CORRECT) {
      correct[offsets.correct + place.row] = u32(terms.is_correct);
    }
    if (HAS_LOG_SUM_EXPS) {
      log_sum_exps[offsets.log_sum_exps + place.row] = log_sum_exp_bits(terms.row);
    }
  }
  if (HAS_TARGET_GRADIENT) {
    for (var c = place.lane; c < params.classes; c += LANES) {
      let i = terms.start + c * params.inner;
      let slope = select(label_slope(terms.row, c, logit(i)), NAN_BITS, terms.undefined);
      target_gradient[offsets.target_gradient + i] = select(0u, product_bits(slope, scale), slopes);
    }
  }
}
