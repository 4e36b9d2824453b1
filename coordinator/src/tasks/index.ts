export { Dispatcher, type DispatcherOptions } from './dispatcher.ts';
export { LiveTasks } from './live-tasks.ts';
export { Outcomes } from './outcomes.ts';
export { TaskCounts } from './task-counts.ts';
export { TaskBook, type TaskOptions } from './tasks.ts';
