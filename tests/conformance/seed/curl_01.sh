curl -X POST https://cn-shanghai-alicloud-aimesh.api.clickzetta.com/gateway/v1/chat/completions \
  -H "Authorization: Bearer $API_KEY" \
  -H "Content-Type: application/json" \
  -d '{ "model": "qwen/qwen3.7-max", "messages": [ {"role": "user", "content": "hello"} ] }'
