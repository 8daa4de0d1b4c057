curl -X POST https://cn-shanghai-alicloud-aimesh.api.clickzetta.com/gateway/v1/messages \
  -H "x-api-key: $API_KEY" \
  -H "anthropic-version: 2023-06-01" \
  -H "Content-Type: application/json" \
  -d '{ "model": "anthropic/claude-opus-4.6", "messages": [ {"role": "user", "content": "hello"} ], "max_tokens": 256 }'
