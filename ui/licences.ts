import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** The folder of the package that `module` belongs to, or nothing for our own files. */
function packageFolder(module: string): string | undefined {
  const marker = '/node_modules/';
  const at = module.lastIndexOf(marker);
  if (at < 0) return undefined;
  const [first = '', second = ''] = module.slice(at + marker.length).split('/');
  const name = first.startsWith('@') ? `${first}/${second}` : first;
  return join(module.slice(0, at + marker.length), name);
}

/**
 * Ships the licence text of every package whose code is in the bundle as `licenses/<package>.txt`.
 * The build fails when a bundled package has none, so a new dependency cannot slip in without.
 */
export function licences(): Plugin {
  return {
    name: 'licences',
    apply: 'build',
    generateBundle(_options, bundle) {
      const folders = new Set<string>();
      for (const output of Object.values(bundle)) {
        if (output.type !== 'chunk') continue;
        for (const module of output.moduleIds) {
          const folder = packageFolder(module.replace(/^\0/, ''));
          if (folder) folders.add(folder);
        }
      }
      for (const folder of folders) {
        if (!existsSync(join(folder, 'package.json'))) continue;
        const { name, version, license } = JSON.parse(
          readFileSync(join(folder, 'package.json'), 'utf8'),
        ) as { name: string; version: string; license?: string };
        const texts = readdirSync(folder)
          .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
          .sort()
          .map((file) => readFileSync(join(folder, file), 'utf8'));
        if (texts.length === 0) this.error(`${name} is bundled but carries no licence text`);
        this.emitFile({
          type: 'asset',
          fileName: `licenses/${name.replace(/^@/, '').replace('/', '-')}.txt`,
          source: `${name} ${version}, ${license ?? 'licence below'}\n\n${texts.join('\n\n')}`,
        });
      }
    },
  };
}
