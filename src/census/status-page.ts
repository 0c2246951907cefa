import { aliasName, type Told, typeName } from './page.js';

/**
 * What a vttablet's `/debug/status` says, a page for people: `Alias: …`, `Keyspace: …`, `Shard: …` and `Tablet Type: …`, from Vitess 2
 * to 24, until 10 or so as links. What is not found is undefined.
 */
export function readStatus(html: string): Pick<Told, 'alias' | 'type' | 'keyspace' | 'shard'> {
  const words = html.replace(/<[^>]*>/g, ' ');
  const after = (title: string) => new RegExp(`(?<!\\S)${title}:\\s*(\\S+)`).exec(words)?.[1];
  return {
    alias: aliasName(after('Alias')),
    keyspace: after('Keyspace'),
    shard: after('Shard'),
    type: typeName(after('Tablet Type')),
  };
}
