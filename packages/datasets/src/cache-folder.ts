import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The folder for decoded images if none is named: `tfjs-ssl` in the user's cache folder, which is `XDG_CACHE_HOME`, or
 * `~/Library/Caches` on macOS, `LOCALAPPDATA` on Windows, `~/.cache` elsewhere.
 */
export function defaultCacheFolder(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
): string {
  return join(env.XDG_CACHE_HOME || systemCacheFolder(env, platform), 'tfjs-ssl');
}

function systemCacheFolder(env: Readonly<Record<string, string | undefined>>, platform: string): string {
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  if (platform === 'win32' && env.LOCALAPPDATA) return env.LOCALAPPDATA;
  return join(homedir(), '.cache');
}
