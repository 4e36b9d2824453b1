export { DataFolderLock } from './data-folder-lock.ts';
export { openSqliteAgentStore } from './sqlite-agent-store.ts';
