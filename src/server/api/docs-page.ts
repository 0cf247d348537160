import { arrayOf, objectOf } from '../../core/json.ts'
import { escaped } from '../escaped.ts'
import { schemaText } from './schema-text.ts'

/** A page that shows an API's description; nothing is loaded from elsewhere, and nothing runs in it. */
export function docsPage(document: object): string {
  const { paths, components, info } = objectOf(document)
  const operations = Object.entries(objectOf(paths)).flatMap(([path, methods]) =>
    Object.entries(objectOf(methods)).map(([method, each]) => ({
      path,
      method,
      ...objectOf(each),
    })),
  )
  const groups = Map.groupBy<string, Operation>(operations, ({ tags }) => String(arrayOf(tags)[0]))
  const schemas = Object.entries(objectOf(objectOf(components).schemas))
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sluice API</title>
<style>${style}</style>
<h1>Sluice API</h1>
<p>${escaped(String(objectOf(info).description))} As <a href="/api/v2/aibridge/openapi.json">OpenAPI 3.1</a>.
A token goes into <code>X-Sluice-Token</code>, or after <code>Authorization: Bearer</code>.
What asks who you are may also answer 401, 403, 429, 500 and 503, with an <a href="#Error">Error</a>.</p>
<nav>${[...groups].map(menu).join('')}<p><a href="#schemas">Schemas</a></p></nav>
${[...groups].map(([name, each]) => `<h2>${escaped(name)}</h2>${each.map(section).join('')}`).join('')}
<h2 id="schemas">Schemas</h2>
${schemas.map(([name, schema]) => schemaSection(name, objectOf(schema))).join('')}
</html>
`
}

const common: ReadonlySet<string> = new Set(['401', '403', '429', '500', '503'])

type Operation = { readonly path: string; readonly method: string } & Readonly<
  Record<string, unknown>
>

function menu([name, operations]: readonly [string, readonly Operation[]]): string {
  const links = operations.map(
    ({ path, method, operationId }) =>
      `<li><a href="#${operationId}"><b>${method}</b> ${escaped(path)}</a></li>`,
  )
  return `<p>${escaped(name)}</p><ul>${links.join('')}</ul>`
}

function section({ path, method, operationId, summary, ...rest }: Operation): string {
  const parameters = arrayOf(rest.parameters).map(objectOf)
  const rows = parameters.map(({ name, in: where, schema, description, required }) => [
    `<code>${escaped(String(name))}</code>${required ? ` <small>in the ${where}</small>` : ''}`,
    schemaText(objectOf(schema)),
    code(String(description ?? '')),
  ])
  const told = Object.entries(objectOf(rest.responses)).filter(([status]) => !common.has(status))
  const answers = told.map(([status, each]) => [
    `<code>${status}</code>`,
    bodyText(objectOf(each)),
    code(String(objectOf(each).description ?? '')),
  ])
  const body = rest.requestBody ? `<p>Body: ${bodyText(objectOf(rest.requestBody))}</p>` : ''
  return `<section id="${operationId}"><h3><b>${method}</b> ${escaped(path)}</h3>
<p>${code(String(summary))}</p>${table(rows)}${body}${table(answers)}</section>`
}

function bodyText({ content }: Readonly<Record<string, unknown>>): string {
  return Object.entries(objectOf(content))
    .map(([type, media]) => {
      const text = schemaText(objectOf(objectOf(media).schema))
      return type === 'application/json' ? text : `<code>${escaped(type)}</code>`
    })
    .join(' or ')
}

function schemaSection(name: string, { description = '', ...schema }: Record<string, unknown>) {
  const required = new Set(arrayOf(schema.required))
  const rows = Object.entries(objectOf(schema.properties)).map(([member, each]) => [
    `<code>${escaped(member)}</code>${required.has(member) ? '' : ' <small>optional</small>'}`,
    schemaText(objectOf(each)),
    code(String(objectOf(each).description ?? '')),
  ])
  return `<section id="${escaped(name)}"><h3>${escaped(name)}</h3><p>${code(String(description))}</p>${table(rows)}</section>`
}

function table(rows: readonly (readonly string[])[]): string {
  const lines = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
  return lines.length === 0 ? '' : `<table>${lines.join('')}</table>`
}

/** Text with `code` in it. */
function code(text: string): string {
  return escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>')
}

const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882 }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 3rem auto; padding: 0 1rem }
code { background: var(--soft); padding: .1em .3em; border-radius: 3px; font-size: .9em }
nav ul { list-style: none; padding: 0; columns: 2 22rem; margin: 0 } nav p { margin: 1rem 0 .2rem; font-weight: 600 }
a { color: inherit } nav a { text-decoration: none } nav a:hover { text-decoration: underline }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line) }
section { border: 1px solid var(--line); border-radius: 8px; padding: .2rem 1rem 1rem; margin: 1rem 0; overflow-x: auto }
section:target { outline: 2px solid #4a90d9 }
h3 { font-size: 1rem; margin: .8rem 0 } h3, nav a { font-family: ui-monospace, monospace }
b { text-transform: uppercase; font-size: .75em; background: var(--soft); padding: .15em .5em; border-radius: 3px; margin-right: .4em }
table { border-collapse: collapse; width: 100%; margin-top: .8rem; font-size: .9rem }
td { border-top: 1px solid var(--line); padding: .3rem .8rem .3rem 0; vertical-align: top } td:first-child { white-space: nowrap }
small { opacity: .6 }`
