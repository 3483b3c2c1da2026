import tseslint from 'typescript-eslint';

/** Node built-ins and worker-side packages can't run in the workflow sandbox; a type import is fine. */
const sandboxForbidden = {
  patterns: [
    {
      group: ['node:*', 'fs', 'path', 'crypto', 'child_process', 'net', 'os', 'ssh2', 'yaml'],
      message: 'Not available in the workflow sandbox.',
    },
    {
      group: ['**/activities/**', '**/worker/**', '**/client/**'],
      allowTypeImports: true,
      message: 'Workflows import types only from here.',
    },
    { group: ['@temporalio/*'], message: 'Workflows reach Temporal through procedure/runtime.ts only.' },
  ],
};

export default tseslint.config(
  { ignores: ['build/**', 'engine/**', 'coverage/**', 'node_modules/**', '**/*.mjs', '**/*.js', '**/*.cjs'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['workflows/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', sandboxForbidden],
      // Time and chance come from the runtime; timers are waits of the core.
      'no-restricted-globals': [
        'error',
        'setTimeout',
        'setInterval',
        'setImmediate',
        'process',
        'console',
        'fetch',
        'crypto',
        'performance',
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Use the runtime.' },
        { object: 'Math', property: 'random', message: 'Workflows are deterministic.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'Program > VariableDeclaration[kind=/let|var/]',
          message: 'No mutable module state in workflow code.',
        },
        {
          selector: "Property[key.name='validator'] > ArrowFunctionExpression[async=true]",
          message: 'An async validator never rejects.',
        },
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Use the runtime.' },
      ],
    },
  },
  { files: ['workflows/procedure/runtime.ts'], rules: { '@typescript-eslint/no-restricted-imports': 'off' } },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
);
