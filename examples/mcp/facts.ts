// An MCP server with one tool, spoken to over its standard streams.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { z } from 'zod'

const server = new McpServer({ name: 'facts', version: '1.0.0' })

server.registerTool(
  'sluice_facts',
  {
    description: 'Says what Sluice is, or one of its parts.',
    inputSchema: { about: z.string() },
  },
  async ({ about }) => ({
    content: [{ type: 'text', text: `On "${about}": Sluice stands between clients and models.` }],
  }),
)

await server.connect(new StdioServerTransport())
