export { htmlReport } from './html.ts';
export { type Interval, interval } from './interval.ts';
export { rowsOf } from './rows.ts';
