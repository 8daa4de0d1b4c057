curl -X POST https://cn-shanghai-alicloud-aimesh.api.clickzetta.com/gateway/api/v3/images/generations \
  -H "Authorization: Bearer $API_KEY" \
  -H "Content-Type: application/json" \
  -d '{ "model": "doubao-seedream-4.0", "prompt": "一张现代数据平台控制台的产品插画,干净、专业、科技感", "size": "1024x1024", "n": 1 }'
