import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** Builds the rule that lets a folder import only what its layer may know. */
function layer(folder, forbidden) {
  return {
    files: [`src/${folder}/**/*.{ts,svelte}`],
    rules: {
      'no-restricted-imports': ['error', { patterns: forbidden }],
    },
  };
}

const shell = {
  group: ['@tauri-apps/*'],
  message: 'Only src/host/tauri.ts talks to the shell.',
};
const sdk = {
  group: ['@twilio/*'],
  message: 'Only src/voice talks to the Voice SDK.',
};
const framework = {
  group: ['svelte', 'svelte/*', '**/*.svelte', '**/*.svelte.ts', '**/*.svelte.js'],
  message: 'This layer stands below the framework.',
};
const upward = (...folders) => ({
  group: folders.map((folder) => `**/${folder}/**`),
  message: 'This layer stands below the one it imports.',
});

export default tseslint.config(
  {
    ignores: [
      'dist',
      'node_modules',
      'src/host/bindings.ts',
      'tests/e2e',
      'tests/browser',
      'tests/screens',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  ...svelte.configs.recommended,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js'] },
        extraFileExtensions: ['.svelte'],
      },
    },
    rules: {
      // Numbers in templates are what template literals are for.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-console': ['error', { allow: ['warn', 'error'] }],
      'no-restricted-imports': ['error', { patterns: [shell, sdk] }],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: tseslint.parser, svelteConfig } },
  },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
  layer('host', [
    shell,
    sdk,
    framework,
    upward('voice', 'phone', 'account', 'rules', 'actions', 'stores', 'views', 'components'),
  ]),
  layer('voice', [
    shell,
    framework,
    upward('account', 'rules', 'actions', 'stores', 'views', 'components'),
  ]),
  layer('phone', [
    shell,
    sdk,
    framework,
    upward('voice', 'account', 'rules', 'actions', 'stores', 'views', 'components'),
  ]),
  layer('account', [
    shell,
    sdk,
    framework,
    upward('voice', 'phone', 'rules', 'actions', 'stores', 'views', 'components'),
  ]),
  layer('rules', [
    shell,
    sdk,
    framework,
    upward('voice', 'phone', 'account', 'actions', 'stores', 'views', 'components'),
  ]),
  layer('actions', [shell, sdk, framework, upward('voice', 'views', 'components')]),
  layer('i18n', [
    shell,
    sdk,
    framework,
    upward('host', 'voice', 'phone', 'account', 'rules', 'actions', 'stores', 'views'),
  ]),
  {
    files: ['src/host/tauri.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [sdk, framework] }],
    },
  },
  {
    files: ['src/voice/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [shell, framework, { ...sdk, allowTypeImports: true }] },
      ],
    },
  },
);
