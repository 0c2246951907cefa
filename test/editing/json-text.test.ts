import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readJsonObject } from '../../src/editing/json-text.js';

describe('JSON that a person wrote', () => {
  test('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(undefined, 2, '\t'),
        (value, indent) => {
          const text = JSON.stringify(value, null, indent);
          if (/\d{16}/.test(text)) return;
          expect(readJsonObject(text)).toEqual(JSON.parse(text));
        },
      ),
    );
  });

  test('may have lines of comments, and a mark of byte order', () => {
    expect(readJsonObject('\uFEFF# one\n  // two\n{\n# three\n"a": "# b // c"}\n//')).toEqual({
      a: '# b // c',
    });
  });

  test.each([
    ['', /the text is empty/],
    ['# only a comment', /the text is empty/],
    ['[1]', /no JSON object/],
    ['null', /no JSON object/],
    ['{"a": 1,\n"b": x}', /Unexpected token 'x' \(line 2\)/],
    ['{"a": 1\n"b": 2}', /Expected ',' or '}' after property value \(line 2\)/],
    ['# c\n{"a": "b"\n', /\(line 3\)|ends too early/],
    ['{"a": tru}', /no JSON/],
    ['{"a": 1} {', /no JSON: Unexpected non-whitespace character/],
    ['{"a": {"b": 1, "c": [{"d": 1,\n"\\u0064": 2}]}}', /"d" is there twice \(line 2\)/],
    ['{"seconds":\n9007199254740993}', /put it in quotes \(line 2\)/],
  ])('%j is refused', (text, message) => {
    expect(() => readJsonObject(text)).toThrow(message);
  });

  test('is not quoted in what is said of it', () => {
    for (const text of [
      '{"password": "secret" x}',
      '{"password": secret}',
      '{"a": "secret',
      '{"a": {"secret"}}',
    ])
      try {
        readJsonObject(text);
        expect.unreachable();
      } catch (error) {
        expect(String(error)).not.toContain('secret');
      }
  });
});
