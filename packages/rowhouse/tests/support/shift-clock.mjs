// Loaded before a program (node --import): its clock is CLOCK_SHIFT_SECONDS ahead.
const shift = Number(process.env.CLOCK_SHIFT_SECONDS ?? 0) * 1000;
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + shift);
    else super(...args);
  }
  static now() {
    return RealDate.now() + shift;
  }
};
