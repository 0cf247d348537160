import Router from '@koa/router'
import { docsPage } from './docs-page.ts'
import { type OpenApiOptions, openApi } from './open-api.ts'

export interface DescribedOptions extends OpenApiOptions {
  /** Where the page is that shows it. @default nowhere */
  readonly page?: string
}

/** The API's description, open to all: it says nothing of what is recorded. */
export function described({ page, ...options }: DescribedOptions): Router {
  const router = new Router()
  let made: object | undefined
  const document = () => {
    made ??= openApi(options)
    return made
  }
  router.get(`${options.prefix}/openapi.json`, (ctx) => {
    ctx.body = document()
  })
  if (page !== undefined)
    router.get(page, (ctx) => {
      ctx.set('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      ctx.type = 'html'
      ctx.body = docsPage(document())
    })
  return router
}
